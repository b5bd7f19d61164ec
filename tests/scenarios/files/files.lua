-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "files", api = 1, summary = "Reads what it may, and tries what it may not.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function()
        log.info("mtu %d", tonumber(fs.read("/sys/class/net/tap0/mtu")))
        log.info("%s %s", fs.exists("/sys/class/net/tap0"), fs.exists("/sys/class/net/tap1"))
        for _, path in ipairs { "/etc/passwd", "/proc/../etc/passwd", "/proc/1/root/etc/passwd",
                                "/proc/self/environ", "/proc/self/fd/3", "sys/class", "/sys",
                                "/sys/a\0b", "/sys/class/net/tap1/mtu", "/sys/class/net" } do
          local ok, problem = pcall(fs.read, path)
          log.info("%s: %s", ok, problem)
        end
      end },
  },
}
