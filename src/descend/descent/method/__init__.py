"""The methods: a small file each, and a registry."""
