-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "The network is cut while the disks are copied: the guest stays, and writes on.",
  faults = { { "cut", command = "blockdev-mirror" } },
  expect = {
    source = { ends = "aborted in mirror", states = { "prepare", "mirror" } },
    guest = "source",
  },
}
