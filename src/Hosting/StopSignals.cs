using System.Runtime.InteropServices;

namespace GrayMQ.Hosting;

/// <summary>
/// SIGTERM asks to stop, however often it comes; a server that others count on takes its leave first. SIGQUIT and SIGINT ask to stop
/// without waiting for anybody; the second of these ends the process where it stands.
/// </summary>
public sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _hurry = new();
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _quit;
    private int _hurried;

    public StopSignals()
    {
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, HurryUp);
        _quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, HurryUp);
    }

    /// <summary>Cancelled when the process is to stop.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>Cancelled when it is to stop without waiting for anybody.</summary>
    public CancellationToken Hurry => _hurry.Token;

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
        _quit.Dispose();
        _stop.Dispose();
        _hurry.Dispose();
    }

    private void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;

        // Continuations must not run on the runtime's signal thread.
        _ = _stop.CancelAsync();
    }

    private void HurryUp(PosixSignalContext signal)
    {
        if (Interlocked.Increment(ref _hurried) == 1)
        {
            signal.Cancel = true;
            _ = _hurry.CancelAsync();
            _ = _stop.CancelAsync();
        }
    }
}
