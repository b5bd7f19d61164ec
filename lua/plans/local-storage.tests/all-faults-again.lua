-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "With a program that starts another QEMU, too, whatever goes wrong ends as it must.",
  vars = { start = "/vm/start-qemu", channels = "2", auto_downtime = "yes" },
  faults = "all",
}
