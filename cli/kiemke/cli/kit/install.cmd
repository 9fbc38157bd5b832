@echo off
rem Double click on each PC. It asks for administrator's rights, installs the agent silently, then the
rem agent itself asks who uses the PC. Within ASCII: what cmd prints depends on the PC's code page.
setlocal
title kiemke
rem The language of whoever made the kit, whatever this Windows speaks.
set "KIEMKE_LANG=@language@"
set "KIT=%~f0"
set "FOLDER=%~dp0"
if /i "%~1"=="elevated" goto install
fltmc >nul 2>nul && goto install
echo @asking_rights@
powershell -NoProfile -Command "try { Start-Process -FilePath $env:KIT -ArgumentList elevated -Verb RunAs; exit 0 } catch { exit 1 }"
if not errorlevel 1 exit /b 0
set "WHY=@no_rights@"
goto failed

:install
if /i not "%PROCESSOR_ARCHITECTURE%"=="AMD64" if /i not "%PROCESSOR_ARCHITEW6432%"=="AMD64" (
  set "WHY=@no_such_pc@"
  goto failed
)
if not exist "%FOLDER%kiemke-agent.msi" (
  set "WHY=@no_installer@"
  goto failed
)
echo @installing@
msiexec /i "%FOLDER%kiemke-agent.msi" /qn /norestart
set CODE=%ERRORLEVEL%
if "%CODE%"=="3010" set CODE=0
if not "%CODE%"=="0" (
  set "WHY=@installer_failed@ %CODE%"
  goto failed
)
set "AGENT=%ProgramFiles%\kiemke-agent"
if defined ProgramW6432 set "AGENT=%ProgramW6432%\kiemke-agent"
"%AGENT%\python.exe" -m kiemke.agent.main kit "%FOLDER%."
if errorlevel 1 (
  set "WHY=@see_above@"
  goto failed
)
color 2F 2>nul
echo.
echo @done_close@
pause
exit /b 0

:failed
color 4F 2>nul
echo.
echo @failed@: %WHY%.
pause
exit /b 1
