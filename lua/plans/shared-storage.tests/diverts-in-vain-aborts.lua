-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A guest that does not stop once its packets are diverted, and must not stand, stays.",
  vars = { downtime_max = "30ms" },
  model = { ram = "128M", dirty = "3G/s", working = "100M", link = "10G", tls = "10GB/s" },
  expect = {
    source = { ends = "aborted in divert", why = "a larger downtime_max helps" },
    guest = "source",
  },
}
