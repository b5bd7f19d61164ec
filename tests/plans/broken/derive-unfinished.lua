-- derive without its changes
return derive "parent"
