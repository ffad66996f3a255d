from kpviewer.runtime.device import available_devices, device_label, resolve_device


def test_each_listed_device_can_be_used():
    devices = available_devices()
    assert devices["cpu"] == "CPU"
    assert {name: device_label(resolve_device(name)) for name in devices} == devices
