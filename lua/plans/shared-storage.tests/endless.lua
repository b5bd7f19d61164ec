-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A copy that will not converge ends with a verdict, and the guest where it was.",
  vars = { converge = "20s" },
  model = { ram = "2G", dirty = "300M/s", working = "1G", link = "1G" },
  expect = {
    source = { ends = "aborted in copy", why = "the link carries" },
    guest = "source",
    dark = "0ms",
  },
}
