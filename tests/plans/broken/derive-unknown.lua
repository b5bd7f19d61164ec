-- a parent that is not there is told with the nearest
return derive "parant" { name = "derive-unknown" }
