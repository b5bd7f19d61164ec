# SPDX-License-Identifier: Apache-2.0
# guest.S: a guest of some hundred bytes that writes to so much memory in a second, for migrations.
#
# QEMU starts it by -kernel, as a multiboot image. It writes to each page once, so that none is a
# page of zeroes, and then at each of 100 ticks a second to PER_TICK pages of its working set, from
# the first to the last and again. In between it sleeps: an idle guest costs no processor. Whoever
# wants to know whether it lives reads the ticks that it has counted, behind the header.
#
# as --32 --defsym PER_TICK=50 --defsym FIRST=0x800000 --defsym LAST=0x2800000 --defsym END=…
    .set MULTIBOOT, 0x1BADB002
    .set HAS_ADDRESSES, 0x00010000
    .set PAGE, 4096
    .set BASE, 0x100000
    .set STACK, 0x180000
    .set FILLED_FROM, 0x200000
    .set TIMER_HZ, 1193182
    .set TICKS_HZ, 100
    .set TIMER_VECTOR, 0x20

    .code32
    .text
    .globl _start
header:
    .long MULTIBOOT, HAS_ADDRESSES, -(MULTIBOOT + HAS_ADDRESSES)
    .long header, BASE, 0, 0, _start
ticks:
    .long 0

_start:
    cli
    lgdt descriptors_at
    ljmp $8, $flat
flat:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $STACK, %esp

    movl $FILLED_FROM, %edi
fill:
    movl %edi, (%edi)
    addl $PAGE, %edi
    cmpl $END, %edi
    jb fill

    # The gate of the timer's interrupt, whose address comes in two halves.
    movl $on_tick, %eax
    movw %ax, gate
    shrl $16, %eax
    movw %ax, gate + 6
    lidt gates_at

    .macro tell port, value
    movb $\value, %al
    outb %al, $\port
    .endm
    # The interrupt controllers: vectors of their own, and nothing but the timer.
    tell 0x20, 0x11
    tell 0xA0, 0x11
    tell 0x21, TIMER_VECTOR
    tell 0xA1, TIMER_VECTOR + 8
    tell 0x21, 0x04
    tell 0xA1, 0x02
    tell 0x21, 0x01
    tell 0xA1, 0x01
    tell 0x21, 0xFE
    tell 0xA1, 0xFF
    # The timer, again and again.
    tell 0x43, 0x34
    tell 0x40, (TIMER_HZ / TICKS_HZ) & 0xFF
    tell 0x40, (TIMER_HZ / TICKS_HZ) >> 8

    movl $FIRST, %edi
    sti
sleep:
    hlt
    jmp sleep

on_tick:
    incl ticks
    movl $PER_TICK, %ecx
    jecxz written
write:
    incl (%edi)
    addl $PAGE, %edi
    cmpl $LAST, %edi
    jb inside
    movl $FIRST, %edi
inside:
    decl %ecx
    jnz write
written:
    movb $0x20, %al
    outb %al, $0x20
    iret

    .align 8
descriptors:
    .quad 0, 0x00CF9A000000FFFF, 0x00CF92000000FFFF
descriptors_at:
    .word . - descriptors - 1
    .long descriptors
gates_at:
    .word (TIMER_VECTOR + 1) * 8 - 1
    .long gates
    .align 8
gates:
    .skip TIMER_VECTOR * 8
gate:
    .word 0, 8, 0x8E00, 0
