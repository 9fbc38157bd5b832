@echo off
rem For a PC that cannot run the agent (Windows 7, 8.1, 32 bit, no network): writes one text file beside
rem this one. It installs nothing and changes nothing. PowerShell 2.0 does it where there is one; else
rem reg and wmic. Carry the file home: kiemke machine import FILE --unit UNIT --apply
setlocal
title kiemke
rem What was typed and where this lies (& ! %% ^ and quotes among them) is put in after a line is parsed
rem alone: between setlocal enabledelayedexpansion and endlocal.
set "KIEMKE_OUT=%~dp0%COMPUTERNAME%.kiemke.txt"
set "OUT=%KIEMKE_OUT%"
set "KIEMKE_HOLDER="
set "KIEMKE_TAG="
set /p KIEMKE_HOLDER=@who@
set /p KIEMKE_TAG=@tag@
if exist "%OUT%" del "%OUT%"
if exist "%~dp0@survey_ps1@" powershell -NoProfile -ExecutionPolicy Bypass -File "%~dp0@survey_ps1@" <nul >nul 2>nul
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
setlocal enabledelayedexpansion
echo os^|!NAME!^|!VERSION!^|!PROCESSOR_ARCHITECTURE!>>"!OUT!"
if defined KIEMKE_HOLDER echo holder^|!KIEMKE_HOLDER!>>"!OUT!"
if defined KIEMKE_TAG echo tag^|!KIEMKE_TAG!>>"!OUT!"
endlocal
for /f "delims=" %%d in ('wmic diskdrive get InterfaceType^,MediaType^,Model^,SerialNumber^,Size 2^>nul') do echo wmic-disk^|%%d>>"%OUT%"
for /f "delims=" %%d in ('wmic nic get MACAddress^,Name^,PNPDeviceID 2^>nul') do echo wmic-nic^|%%d>>"%OUT%"
reg query HKLM\SYSTEM\CurrentControlSet\Services\mssmbios\Data /v SMBiosData >>"%OUT%" 2>nul
reg query HKLM\SYSTEM\CurrentControlSet\Enum\DISPLAY /s >>"%OUT%" 2>nul
echo end>>"%OUT%"

:done
color 2F 2>nul
echo.
setlocal enabledelayedexpansion
echo @done@: !OUT!
endlocal
pause
exit /b 0

:failed
if exist "%OUT%" del "%OUT%"
color 4F 2>nul
echo.
echo @failed@: @not_surveyed@
pause
exit /b 1
