#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# debian_kernel.sh FOLDER: makes FOLDER/kernel with Debian's kernel, as the lab starts it in QEMU.
#
# It has vmlinuz, the modules for networks and virtio below system/lib/modules, and initrd, which
# mounts the machine's files by 9p. Packages are downloaded and unpacked, none is installed. What is
# there already is taken as it is, if it has all of these; remove the folder to have it made anew.
set -euo pipefail
folder=$1
export PATH=$PATH:/usr/sbin:/sbin

# What 9p over virtio needs, each behind those that it needs itself.
first_modules=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci
    netfs fscache 9pnet 9pnet_virtio 9p)

download() {
    local image
    image=$(apt-cache depends --important linux-image-amd64 |
        awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
    if [ -z "$image" ]; then
        echo "apt knows no package linux-image-amd64; 'apt-get update' may help" >&2
        return 1
    fi
    echo "tools/lab: downloading $image and busybox-static, once" >&2
    timeout -s KILL 300 apt-get -qq -o APT::Sandbox::User=root download "$image" busybox-static >&2
}

# Of 400 MB, those that have to do with networks.
unpack() {
    mkdir system tools
    dpkg-deb --fsys-tarfile linux-image-*.deb | tar -x -C system --wildcards \
        --no-wildcards-match-slash './boot/vmlinuz-*' './lib/modules/*/modules.*' \
        './lib/modules/*/kernel/net' './lib/modules/*/kernel/lib' './lib/modules/*/kernel/crypto' \
        './lib/modules/*/kernel/arch' './lib/modules/*/kernel/drivers/net/*.ko' \
        './lib/modules/*/kernel/drivers/net/vxlan' './lib/modules/*/kernel/drivers/virtio' \
        './lib/modules/*/kernel/drivers/block/virtio_blk.ko' \
        './lib/modules/*/kernel/fs/9p' './lib/modules/*/kernel/fs/netfs' \
        './lib/modules/*/kernel/fs/fscache'
    mv system/boot/vmlinuz-* vmlinuz
    depmod -b "$PWD/system" "$(ls system/lib/modules)"
    dpkg -x busybox-static_*.deb tools
}

write_first_program() {
    cat <<TEXT
#!/bin/busybox sh
# Loads what it takes to see the machine's files, and goes on with them.
for module in ${first_modules[*]}; do
    /bin/busybox insmod "/modules/\$module.ko"
done
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=mmap host /host
exec /bin/busybox switch_root /host "\$lab_run/init"
TEXT
}

make_initrd() {
    local module
    mkdir -p initrd.files/{bin,host,modules}
    cp tools/bin/busybox initrd.files/bin/
    for module in "${first_modules[@]}"; do
        find system/lib/modules -name "$module.ko" -exec cp {} initrd.files/modules/ \;
    done
    write_first_program >initrd.files/init
    chmod 755 initrd.files/init
    (cd initrd.files && find . | bin/busybox cpio -o -H newc 2>/dev/null) >initrd
}

mkdir -p "$folder"
exec {lock}>"$folder/lock"
flock "$lock"
if compgen -G "$folder/kernel/system/lib/modules/*/kernel/drivers/block/virtio_blk.ko" >/dev/null
then
    exit 0
fi
work=$(mktemp -d "$folder/making.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
download
unpack
make_initrd
rm -rf ./*.deb tools initrd.files
mkdir "$work/kernel"
mv vmlinuz system initrd kernel/
[ ! -d "$folder/kernel" ] || mv "$folder/kernel" former
mv kernel "$folder/kernel"
