/* The disk that a plan wants: a file without a name, made for one run and gone with it. */
#ifndef BULKHEAD_VIRTIO_DISK_H
#define BULKHEAD_VIRTIO_DISK_H

#include "backend.h"

#define VIRTIO_DISK_ID "bulkhead" /* what the device answers to the request GET_ID */

/* The plan that the boot carries, if it wants a disk, or NULL; it may carry something else than a plan. */
const struct plan_header *virtio_disk_plan(const struct boot *boot);

/*
 * The disk's file, filled as sip/drivers/disk_content.h says with the plan's seed: its descriptor, or a
 * negative errno.
 */
int virtio_disk_file(const struct plan_header *plan, struct error *error);

#endif
