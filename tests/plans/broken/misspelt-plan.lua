-- the word plan itself is misspelt
return plann { name = "misspelt-plan", api = 1 }
