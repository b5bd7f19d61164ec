return { other = require "ring_a" }
