return { other = require "ring_b" }
