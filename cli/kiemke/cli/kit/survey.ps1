# Writes what kiemke needs to know of this PC into one text file. PowerShell 2.0 or newer, any account.
# @survey_cmd@ starts it; alone: powershell -ExecutionPolicy Bypass -File @survey_ps1@ [FILE]
param([string]$Out = $env:KIEMKE_OUT)
if (-not $Out) { $Out = Join-Path (Get-Location) ($env:COMPUTERNAME + '.kiemke.txt') }
$lines = New-Object System.Collections.ArrayList

function Add-Line([object[]]$Fields) {
    $said = @()
    foreach ($one in $Fields) {
        $text = ''
        if ($one -ne $null) { $text = ([string]$one -replace '[\|\r\n\t\0]', ' ').Trim() }
        $said += $text
    }
    [void]$lines.Add([string]::Join('|', $said))
}

function Get-Hex([byte[]]$Bytes) { return [BitConverter]::ToString($Bytes).Replace('-', '') }

[void]$lines.Add('kiemke-one-shot|1')
Add-Line @('taken', (Get-Date).ToString('yyyy-MM-dd HH:mm', [Globalization.CultureInfo]::InvariantCulture))
Add-Line @('host', $env:COMPUTERNAME)
$system = Get-WmiObject Win32_OperatingSystem
Add-Line @('os', $system.Caption, $system.Version, $env:PROCESSOR_ARCHITECTURE)
if ($env:KIEMKE_HOLDER) { Add-Line @('holder', $env:KIEMKE_HOLDER) }
if ($env:KIEMKE_TAG) { Add-Line @('tag', $env:KIEMKE_TAG) }

# The firmware's table, with Windows' eight bytes before it.
$data = 'HKLM:\SYSTEM\CurrentControlSet\Services\mssmbios\Data'
$table = (Get-ItemProperty -Path $data -ErrorAction SilentlyContinue).SMBiosData
if ($table) { [void]$lines.Add('smbios|' + (Get-Hex $table)) }

# Monitors: only what is plugged in has a volatile key Control.
$display = 'HKLM:\SYSTEM\CurrentControlSet\Enum\DISPLAY'
foreach ($model in @(Get-ChildItem -Path $display -ErrorAction SilentlyContinue)) {
    foreach ($one in @(Get-ChildItem -Path $model.PSPath -ErrorAction SilentlyContinue)) {
        if (-not (Test-Path -Path (Join-Path $one.PSPath 'Control'))) { continue }
        $parameters = Join-Path $one.PSPath 'Device Parameters'
        $edid = (Get-ItemProperty -Path $parameters -ErrorAction SilentlyContinue).EDID
        if ($edid) { [void]$lines.Add('edid|' + (Get-Hex $edid)) }
    }
}

$serials = @{}
foreach ($one in @(Get-WmiObject Win32_PhysicalMedia -ErrorAction SilentlyContinue)) {
    if ($one.Tag) { $serials[[string]$one.Tag] = $one.SerialNumber }
}
foreach ($one in @(Get-WmiObject Win32_DiskDrive -ErrorAction SilentlyContinue)) {
    if (-not $one) { continue }
    $serial = $one.SerialNumber
    if (-not $serial) { $serial = $serials[[string]$one.DeviceID] }
    Add-Line @('disk', $one.Model, $serial, $one.Size, $one.InterfaceType, $one.MediaType)
}
foreach ($one in @(Get-WmiObject Win32_NetworkAdapter -ErrorAction SilentlyContinue)) {
    if ($one -and $one.MACAddress) { Add-Line @('adapter', $one.MACAddress, $one.Name, $one.PNPDeviceID) }
}
[void]$lines.Add('end')
[IO.File]::WriteAllLines($Out, [string[]]$lines.ToArray([string]), (New-Object System.Text.UTF8Encoding $false))
