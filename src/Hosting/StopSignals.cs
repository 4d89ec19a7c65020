using System.Runtime.InteropServices;

namespace GrayMQ.Hosting;

/// <summary>SIGTERM and SIGINT: the first one asks to stop, the second one ends the process where it stands.</summary>
public sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;
    private int _count;

    public StopSignals()
    {
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    }

    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
        _stop.Dispose();
    }

    private void OnSignal(PosixSignalContext signal)
    {
        if (Interlocked.Increment(ref _count) == 1)
        {
            signal.Cancel = true;
            // Continuations must not run on the runtime's signal thread.
            _ = _stop.CancelAsync();
        }
    }
}
