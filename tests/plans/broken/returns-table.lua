-- a plan without the word plan
return { name = "returns-table", api = 1 }
