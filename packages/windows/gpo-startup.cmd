@echo off
rem Group Policy: Computer Configuration, Windows Settings, Scripts, Startup. It runs as the system
rem account. Put this file, kiemke-agent.msi and enrolment.txt (the token) into one shared folder that
rem computers may read; what is installed already is left alone, what is older is replaced.
set SOURCE=%~dp0
set VERSION=@VERSION@
set INSTALLED=
for /f "tokens=3" %%v in ('reg query HKLM\SOFTWARE\kiemke\agent /v Version 2^>nul') do set INSTALLED=%%v
if "%INSTALLED%"=="%VERSION%" exit /b 0
rem Not %TEMP%: of the system account that is a folder where everybody may put files beforehand. Where this
rem works, administrators alone write, and nobody else reads the token.
set "WORK=%ProgramFiles%\kiemke-agent-update\start-up"
if not exist "%WORK%" mkdir "%WORK%"
"%SystemRoot%\System32\icacls.exe" "%WORK%" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F >nul
if errorlevel 1 exit /b 1
copy /y "%SOURCE%kiemke-agent.msi" "%WORK%\kiemke-agent.msi" >nul
if errorlevel 1 exit /b 1
rem Without an enrolment file a PC that is enrolled already is renewed all the same.
set TOKENFILE=
if exist "%SOURCE%enrolment.txt" set "TOKENFILE=%WORK%\enrolment.txt"
if defined TOKENFILE copy /y "%SOURCE%enrolment.txt" "%TOKENFILE%" >nul
"%SystemRoot%\System32\msiexec.exe" /i "%WORK%\kiemke-agent.msi" /qn /norestart TOKENFILE="%TOKENFILE%"
set RESULT=%ERRORLEVEL%
del "%WORK%\kiemke-agent.msi" "%WORK%\enrolment.txt" 2>nul
exit /b %RESULT%
