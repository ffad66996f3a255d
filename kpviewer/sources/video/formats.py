"""Video formats that may be opened, by FFmpeg's demuxer names. Light to import."""

_VIDEO = (
    "mov mp4 m4a 3gp 3g2 mj2 matroska webm avi mpegts mpeg flv live_flv kux ogg asf asf_o mxf mxg "
    "dv wtv nut nuv nsv rm ivr gxf lxf lmlm4 pva pmp ty swf mtv dhav gif apng ivf yuv4mpegpipe"
)
_CODED = (
    "h261 h263 h264 hevc vvc evc av1 obu vc1 vc1test m4v mpegvideo mjpeg mjpeg_2000 smjpeg mpjpeg "
    "dnxhd cavsvideo avs2 avs3 apv ipu jpegxl_anim"
)
_OLD = (
    "flic film_cpk idcin ipmovie 4xm thp mods moflex vividas vivo cine cdxl c93 dsicin dxa ea "
    "frm gdv iv8 jv hnm mm mvi mv nc pdv rl2 r3d rpl roq smk bink siff smush sga tiertexseq tmv "
    "txd usm vmd wc3movie wsvqa xmv yop anm bfi bethsoftvid argo_brp bmv ifv ingenient "
    "psxstr avs hxvs"
)
_SOUND = "aac ac3 eac3 mp3 flac wav w64 aiff"

VIDEO_FORMATS = tuple(f"{_VIDEO} {_CODED} {_OLD} {_SOUND}".split())
"""Demuxers that open no other file: no playlists, no ``concat``, no ``image2``. Sound formats are
included for a clear message at a sound file."""

_BY_SUFFIX = {
    "dhav h264 hevc": ".dav",
    "h264": ".h264 .264 .avc .h26l .26l .jsv .x264",
    "hevc": ".h265 .265 .hevc .hvc .x265",
    "vvc": ".h266 .266 .vvc",
    "obu": ".obu .av1",
    "mpegts": ".ts .m2ts .mts .m2t .mpegts .trp .tp .tod",
    "mpeg mpegvideo": ".mpg .mpeg .mpe .vob .vro .m2p .ps .m1v .m2v .mpv .mod .dat",
    "mjpeg mpjpeg": ".mjpeg .mjpg",
    "mov": ".mp4 .mov .qt .3gp .3g2 .f4v .mj2",
    "mov m4v": ".m4v",
    "matroska": ".mkv .mk3d .webm",
    "avi": ".avi .divx",
    "asf": ".wmv .asf",
    "flv": ".flv",
    "mxf": ".mxf",
    "dv": ".dv .dif",
    "ogg": ".ogv .ogm .ogg",
    "rm": ".rm .rmvb",
    "yuv4mpegpipe": ".y4m",
    "ivf": ".ivf",
    "gxf": ".gxf",
    "wtv": ".wtv",
    "nut": ".nut",
    "vc1": ".vc1",
    "cavsvideo": ".cavs",
    "gif": ".gif",
}
_FORMATS_OF = {
    suffix: tuple(formats.split())
    for formats, suffixes in _BY_SUFFIX.items()
    for suffix in suffixes.split()
}
VIDEO_SUFFIXES = tuple(_FORMATS_OF)
"""Suffixes of video files, for lists of files; a file's format is decided by its content."""


def formats_of(suffix: str) -> tuple[str, ...]:
    """Return the formats that a file with this suffix may have, most likely first."""
    return _FORMATS_OF.get(suffix.lower(), ())
