@echo off
rem Double click on each PC. It asks for administrator's rights, installs the agent silently, then the
rem agent itself asks who uses the PC. Within ASCII: what cmd prints depends on the PC's code page.
setlocal
title kiemke
set "KIT=%~f0"
set "FOLDER=%~dp0"
if /i "%~1"=="elevated" goto install
fltmc >nul 2>nul && goto install
echo Xin quyen quan tri (bam Yes / Co) ...
powershell -NoProfile -Command "try { Start-Process -FilePath $env:KIT -ArgumentList elevated -Verb RunAs; exit 0 } catch { exit 1 }"
if not errorlevel 1 exit /b 0
set "WHY=khong co quyen quan tri. Bam chuot phai vao CAI-DAT.cmd, chon Run as administrator"
goto failed

:install
if /i not "%PROCESSOR_ARCHITECTURE%"=="AMD64" if /i not "%PROCESSOR_ARCHITEW6432%"=="AMD64" (
  set "WHY=may 32 bit hoac ARM. Bam dup KHAO-SAT.cmd de lay thong tin may nay"
  goto failed
)
if not exist "%FOLDER%kiemke-agent.msi" (
  set "WHY=thieu tep kiemke-agent.msi canh CAI-DAT.cmd. Giai nen ca tep ZIP roi chay lai"
  goto failed
)
echo Dang cai dat, xin cho mot phut ...
msiexec /i "%FOLDER%kiemke-agent.msi" /qn /norestart
set CODE=%ERRORLEVEL%
if "%CODE%"=="3010" set CODE=0
if not "%CODE%"=="0" (
  set "WHY=trinh cai dat Windows bao loi %CODE%"
  goto failed
)
set "AGENT=%ProgramFiles%\kiemke-agent"
if defined ProgramW6432 set "AGENT=%ProgramW6432%\kiemke-agent"
"%AGENT%\python.exe" -m kiemke.agent.main kit "%FOLDER%."
if errorlevel 1 (
  set "WHY=xem dong o tren"
  goto failed
)
color 2F 2>nul
echo.
echo XONG. Dong cua so nay duoc roi.
pause
exit /b 0

:failed
color 4F 2>nul
echo.
echo KHONG XONG: %WHY%.
pause
exit /b 1
