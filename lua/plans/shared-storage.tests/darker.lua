-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A guest that may stand for longer then does, and loses no packet.",
  vars = { converge = "20s", unconverged = "darker", darkest = "4s" },
  model = { ram = "2G", dirty = "90M/s", working = "400M", link = "1G" },
  expect = {
    source = { ends = "done" },
    guest = "dest",
    dark = "4s",
    lost = 0,
  },
}
