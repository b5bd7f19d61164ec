local words = {}
words.act = function() end
