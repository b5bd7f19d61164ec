-- a plan derived from itself
return derive "derive-itself" { name = "derive-itself" }
