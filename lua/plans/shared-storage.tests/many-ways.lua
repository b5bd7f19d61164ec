-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "Several connections, and a downtime that knows the way: both addresses lose nothing.",
  vars = { channels = "4", auto_downtime = "yes", vm_ip = { "10.1.2.3", "2001:db8:1::3" } },
  model = { rtt = "4ms" },
  expect = { source = { ends = "done" }, dest = { ends = "done" }, guest = "dest", lost = 0 },
}
