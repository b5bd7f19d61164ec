-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "Through gre alone a busy guest moves, and no packet of either family is lost.",
  vars = { vm_ip = { "10.1.2.3", "2001:db8:1::3" } },
  model = { ram = "4G", dirty = "100M/s", link = "10G", pps = "20k" },
  expect = {
    source = { ends = "done" },
    dest = { ends = "done" },
    guest = "dest",
    dark = "300ms",
    lost = 0,
  },
}
