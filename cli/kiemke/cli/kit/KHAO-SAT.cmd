@echo off
rem For a PC that cannot run the agent (Windows 7, 8.1, 32 bit, no network): writes one text file beside
rem this one. It installs nothing and changes nothing. PowerShell 2.0 does it where there is one; else
rem reg and wmic. Carry the file home: kiemke machine import FILE --unit UNIT --apply
setlocal
title kiemke
set "OUT=%~dp0%COMPUTERNAME%.kiemke.txt"
set "HOLDER="
set "TAG="
set /p HOLDER=May nay ai dung? (ten, khong dau cung duoc; Enter: bo qua)
set /p TAG=So tem? (Enter: khong co)
if exist "%OUT%" del "%OUT%"
set "KIEMKE_OUT=%OUT%"
set "KIEMKE_HOLDER=%HOLDER%"
set "KIEMKE_TAG=%TAG%"
if exist "%~dp0khao-sat.ps1" powershell -NoProfile -ExecutionPolicy Bypass -File "%~dp0khao-sat.ps1" <nul >nul 2>nul
if exist "%OUT%" goto done

echo kiemke-one-shot^|1>"%OUT%"
if not exist "%OUT%" goto failed
set "DAY="
for /f "skip=1" %%d in ('wmic os get LocalDateTime 2^>nul') do if not defined DAY set "DAY=%%d"
if not defined DAY goto failed
echo taken^|%DAY:~0,4%-%DAY:~4,2%-%DAY:~6,2%>>"%OUT%"
echo host^|%COMPUTERNAME%>>"%OUT%"
set "NAME="
set "VERSION="
for /f "skip=1 delims=" %%d in ('wmic os get Caption 2^>nul') do if not defined NAME set "NAME=%%d"
for /f "skip=1 delims=" %%d in ('wmic os get Version 2^>nul') do if not defined VERSION set "VERSION=%%d"
echo os^|%NAME%^|%VERSION%^|%PROCESSOR_ARCHITECTURE%>>"%OUT%"
if defined HOLDER echo holder^|%HOLDER%>>"%OUT%"
if defined TAG echo tag^|%TAG%>>"%OUT%"
for /f "delims=" %%d in ('wmic diskdrive get InterfaceType^,MediaType^,Model^,SerialNumber^,Size 2^>nul') do echo wmic-disk^|%%d>>"%OUT%"
for /f "delims=" %%d in ('wmic nic get MACAddress^,Name^,PNPDeviceID 2^>nul') do echo wmic-nic^|%%d>>"%OUT%"
reg query HKLM\SYSTEM\CurrentControlSet\Services\mssmbios\Data /v SMBiosData >>"%OUT%" 2>nul
reg query HKLM\SYSTEM\CurrentControlSet\Enum\DISPLAY /s >>"%OUT%" 2>nul
echo end>>"%OUT%"

:done
color 2F 2>nul
echo.
echo XONG: %OUT%
pause
exit /b 0

:failed
if exist "%OUT%" del "%OUT%"
color 4F 2>nul
echo.
echo KHONG XONG: khong ghi duoc tep canh KHAO-SAT.cmd, hoac may khong co wmic.
pause
exit /b 1
