// SPDX-License-Identifier: Apache-2.0
// plan/event_names.cc: the names of QEMU's events, to find those that are misspelt.
#include "plan/event_names.hh"

#include <algorithm>
#include <vector>

#include "base/nearest.hh"

namespace ktm::plan {

namespace {

/// Of QEMU 7.2, as its query-qmp-schema tells them, and what newer ones have besides.
const std::vector<std::string>& known_events() {
    static const std::vector<std::string> names{
        "ACPI_DEVICE_OST",
        "BALLOON_CHANGE",
        "BLOCK_EXPORT_DELETED",
        "BLOCK_IMAGE_CORRUPTED",
        "BLOCK_IO_ERROR",
        "BLOCK_JOB_CANCELLED",
        "BLOCK_JOB_COMPLETED",
        "BLOCK_JOB_ERROR",
        "BLOCK_JOB_PENDING",
        "BLOCK_JOB_READY",
        "BLOCK_WRITE_THRESHOLD",
        "COLO_EXIT",
        "CPU_POLARIZATION_CHANGE",
        "DEVICE_DELETED",
        "DEVICE_TRAY_MOVED",
        "DEVICE_UNPLUG_GUEST_ERROR",
        "DUMP_COMPLETED",
        "FAILOVER_NEGOTIATED",
        "GUEST_CRASHLOADED",
        "GUEST_PANICKED",
        "GUEST_PVSHUTDOWN",
        "HV_BALLOON_STATUS_REPORT",
        "JOB_STATUS_CHANGE",
        "MEMORY_DEVICE_SIZE_CHANGE",
        "MEMORY_FAILURE",
        "MEM_UNPLUG_ERROR",
        "MIGRATION",
        "MIGRATION_PASS",
        "NETDEV_STREAM_CONNECTED",
        "NETDEV_STREAM_DISCONNECTED",
        "NETDEV_VHOST_USER_CONNECTED",
        "NETDEV_VHOST_USER_DISCONNECTED",
        "NIC_RX_FILTER_CHANGED",
        "POWERDOWN",
        "PR_MANAGER_STATUS_CHANGED",
        "QUORUM_FAILURE",
        "QUORUM_REPORT_BAD",
        "RDMA_GID_STATUS_CHANGED",
        "RESET",
        "RESUME",
        "RTC_CHANGE",
        "SHUTDOWN",
        "SPICE_CONNECTED",
        "SPICE_DISCONNECTED",
        "SPICE_INITIALIZED",
        "SPICE_MIGRATE_COMPLETED",
        "STOP",
        "SUSPEND",
        "SUSPEND_DISK",
        "UNPLUG_PRIMARY",
        "VFIO_MIGRATION",
        "VFU_CLIENT_HANGUP",
        "VNC_CONNECTED",
        "VNC_DISCONNECTED",
        "VNC_INITIALIZED",
        "VSERPORT_CHANGE",
        "WAKEUP",
        "WATCHDOG",
    };
    return names;
}

}  // namespace

std::string misspelt_event(std::string_view name) {
    const std::vector<std::string>& known = known_events();
    return std::find(known.begin(), known.end(), name) != known.end() ? ""
                                                                      : did_you_mean(name, known);
}

}  // namespace ktm::plan
