from .packing import Bundle as Bundle, pack_bundle as pack_bundle
from .verifying import BundleLine as BundleLine, verify_bundle as verify_bundle
