#pragma once

// The HTTP gateway, for programs that use it.
#include <taskflux/detail/platform/files.ipp>
#include <taskflux/http/basic.ipp>
#include <taskflux/http/conditional.ipp>
#include <taskflux/http/content_disposition.ipp>
#include <taskflux/http/cookies.ipp>
#include <taskflux/http/cross_site.ipp>
#include <taskflux/http/date.ipp>
#include <taskflux/http/file_store.ipp>
#include <taskflux/http/file_type.ipp>
#include <taskflux/http/forwarded.ipp>
#include <taskflux/http/login_throttle.ipp>
#include <taskflux/http/logins.ipp>
#include <taskflux/http/media_type.ipp>
#include <taskflux/http/multipart.ipp>
#include <taskflux/http/negotiation.ipp>
#include <taskflux/http/range.ipp>
#include <taskflux/http/safe_name.ipp>
#include <taskflux/http/secrets/json_file.ipp>
#include <taskflux/http/secrets/login_memory.ipp>
#include <taskflux/http/secrets/scrypt.ipp>
#include <taskflux/http/secrets/watched.ipp>
#include <taskflux/http/session.ipp>
#include <taskflux/http/tokens.ipp>
#include <taskflux/http/users.ipp>
