#pragma once

// The HTTP gateway, for programs that use it.
#include <taskflux/http/basic.ipp>
#include <taskflux/http/conditional.ipp>
#include <taskflux/http/content_disposition.ipp>
#include <taskflux/http/cookies.ipp>
#include <taskflux/http/date.ipp>
#include <taskflux/http/media_type.ipp>
#include <taskflux/http/multipart.ipp>
#include <taskflux/http/negotiation.ipp>
#include <taskflux/http/range.ipp>
