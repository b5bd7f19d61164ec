-- SPDX-License-Identifier: Apache-2.0
--- Moves a guest where the network between the nodes lets gre pass and drops ipip, as that of some
--- clouds does; its disks stay on shared storage.
---
--- What is different from `shared-storage`: no other tunnel can be chosen. Between nodes of IPv4 it
--- is one device, and the kernel needs no module but gre: the guest's largest packets are
--- fragmented behind the tunnel's header. IPv6 fragments nothing on the way; there it is a gre in a
--- gre, and the inner one fragments.
return derive "shared-storage" {
  name = "gre",
  summary = "Move a guest to another node through gre alone; its disks stay where they are.",

  vars = {
    tunnel = var.enum { "gre", agree = true, doc = "How diverted packets travel." },
  },
}
