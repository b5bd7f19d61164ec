-- a plan without a role
return plan { name = "no-role", api = 1, summary = "Is broken." }
