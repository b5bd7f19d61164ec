local words = {}
function words.act()
  slep("1s")
end
return words
