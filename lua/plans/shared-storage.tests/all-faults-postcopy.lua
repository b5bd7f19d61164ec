-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "When the guest goes before its RAM, whatever goes wrong, a person is called in time.",
  vars = { unconverged = "postcopy", converge = "1s" },
  model = { ram = "128M", dirty = "300M/s", working = "100M", link = "1G", tls = "10GB/s" },
  faults = "all",
}
