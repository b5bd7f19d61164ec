-- SPDX-License-Identifier: Apache-2.0
--- Moves a guest between nodes that reach each other by IPv6; its disks stay on shared storage.
---
--- What is different from `shared-storage`: an address of IPv4 for a node is refused before
--- anything is begun, and the diverted packets travel in ip6tnl, which has the smallest header of
--- the tunnels over IPv6. That fragments nothing on the way, so all of them do it themselves, and
--- the guest's largest packets get through as they are. The guest's own addresses may be of both
--- families, for the tunnel carries either.
return derive "shared-storage" {
  name = "ipv6",
  summary = "Move a guest between nodes of an IPv6 network; its disks stay where they are.",

  vars = {
    dest_ip   = var.ip { family = "v6", role = "source", doc = "Address of the destination." },
    listen_ip = var.ip { family = "v6", role = "dest",
      doc = "Address at which the destination waits." },
    tunnel    = "ipip",
  },
}
