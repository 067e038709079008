"""The second line engine: one stock pyVoIP telephone, an extension at a PBX."""
