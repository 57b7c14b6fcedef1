"""Every byte that crosses a border: pictures, samples, shards, bitstreams, archives. Imports neither torch nor ray."""
