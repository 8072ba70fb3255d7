/*
 * A driver that breaks off: twice it makes a request, does not wait for the answer, and faults. The disk
 * keeps count, for a SIP that is started again knows nothing. The third time it first tries what no driver
 * may, and serves then.
 */
#include "blocks_contract.h"
#include "virtio_blk.c"

#define MARK 0x6b6c7562u /* in the first word of the disk, with the count after it */
#define LIVES 2u

static void want(int64_t got, int64_t wanted, const char *otherwise) {
    if (got != wanted)
        sip_fail(otherwise);
}

static void try_calls(sip_endpoint client) {
    sip_handle registers = sip_device_registers(), again = sip_device_registers();
    want(sip_call_device(ABI_DEVICE_ADDRESS + 1), ABI_EINVAL, "a part of the device that is none");
    want(sip_call_irq_wait(ABI_IRQ_SELF + 1), ABI_EINVAL, "an interrupt that is none");
    want(sip_send(client, registers, 0, 0), ABI_EINVAL, "the device's registers were sent");
    want(sip_send(client, sip_device_memory(), 0, 0), ABI_EINVAL, "the device's memory was sent");
    want(sip_device_ld32(again, 8), 2, "the registers of another device");
    want(sip_block_free(registers), ABI_OK, "a handle of the device cannot be freed");
    want(sip_block_free(registers), ABI_EHANDLE, "a handle of the device was freed twice");
    want(sip_device_ld32(again, 8), 2, "the registers have gone");
#ifndef __wasm__
    sip_handle memory = sip_device_memory();
    for (uint32_t i = 0; i < 2; i++) {
        void *at = sip_header(i ? memory : again);
        want(sip_call_print(at, 4), ABI_EFAULT, "the device's memory was printed");
        want(sip_call_events(at), ABI_EFAULT, "the kernel wrote to the device");
    }
#endif
    static sip_handle held[ABI_SLOTS];
    uint32_t count = 0;
    while (count < ABI_SLOTS && (held[count] = sip_device_memory()))
        count++;
    want(sip_call_device(ABI_DEVICE_MEMORY), ABI_ENOMEM, "handles without end");
    while (count)
        want(sip_block_free(held[--count]), ABI_OK, "a handle of the device cannot be freed");
}

int sip_main(void) {
    sip_endpoint client = sip_channel("disk");
    uint64_t sectors = virtio_blk_start();
    uint32_t at;
    sip_handle data = virtio_blk_data(&at);
    if (virtio_blk_read(0, 1))
        sip_fail("the disk did not read");
    uint32_t lives = sip_msg_ld32(data, at) == MARK ? sip_msg_ld32(data, at + 4) : 0;
    if (lives < LIVES) {
        sip_msg_st32(data, at, MARK);
        sip_msg_st32(data, at + 4, lives + 1);
        if (virtio_blk_write(0, 1))
            sip_fail("the disk did not write");
        begin(TYPE_IN, 0, VIRTIO_BLK_MOST_SECTORS * VIRTIO_BLK_SECTOR_BYTES);
        __builtin_trap();
    }
    for (;;) {
        struct sip_message message = sip_recv(client);
        if (message.error)
            return message.error != ABI_ECLOSED;
        sip_block_free(message.handle);
        sip_handle answer = sip_block_for(client, BLOCKS_MEASURED_MAX_BYTES);
        if (!answer || blocks_send_measured(client, answer, sectors, VIRTIO_BLK_SECTOR_BYTES))
            sip_fail("the disk could not answer");
        if (lives++ == LIVES)
            try_calls(client);
    }
}
