"""The audit core: records, the Merkle log and its verification."""
