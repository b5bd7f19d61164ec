local words = {}
function words.act(
return words
