-- the word plan alone
return plan
