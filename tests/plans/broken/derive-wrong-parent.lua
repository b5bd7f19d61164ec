-- the faults of a parent are told at their own place
return derive "wrong-parent" { name = "derive-wrong-parent" }
