-- a word that acts has no place in loading
log.info("hello")
return plan { name = "acts-at-load", api = 1, summary = "Acts." }
