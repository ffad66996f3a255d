"""kpviewer as a service: detections over HTTP and WebSocket. Requires the extra ``serve``."""
