from .packing import Bundle as Bundle, pack_bundle as pack_bundle
from .release import begin_release as begin_release, release_checks as release_checks
from .verification import BundleLine as BundleLine, VerifyOptions as VerifyOptions, verify_bundle as verify_bundle
