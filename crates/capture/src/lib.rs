//! Packet captures in and out, live capture, TCP reassembly and dissection.
