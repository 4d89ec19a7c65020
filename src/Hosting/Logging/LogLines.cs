using System.Threading.Channels;

namespace GrayMQ.Hosting.Logging;

/// <summary>
/// Lines on their way to a terminal, a pipe or a journal. A reader that stalls must not stall the server: beyond
/// <see cref="MaxWaiting"/> lines new ones are dropped, and how many is said as soon as there is room again.
/// </summary>
internal sealed class LogLines : IAsyncDisposable
{
    /// <summary>Lines that wait to be written.</summary>
    private const int MaxWaiting = 4096;

    private static readonly TimeSpan MaxDrainTime = TimeSpan.FromSeconds(2);

    private readonly TextWriter _writer;
    private readonly TimeProvider _time;
    private readonly Channel<string> _waiting;
    private readonly Task _writing;
    private long _dropped;

    public LogLines(TextWriter writer, TimeProvider time)
    {
        _writer = writer;
        _time = time;
        _waiting = Channel.CreateBounded<string>(
            new BoundedChannelOptions(MaxWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _writing = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public void Add(string line)
    {
        if (!_waiting.Writer.TryWrite(line))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Writes what waits, for as long as somebody reads.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await Task.WhenAny(_writing, Task.Delay(MaxDrainTime, _time, CancellationToken.None)).ConfigureAwait(false);
    }

    private void Write()
    {
        ChannelReader<string> reader = _waiting.Reader;
        try
        {
            while (reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                while (reader.TryRead(out string? line))
                {
                    _writer.WriteLine(line);
                    if (Interlocked.Exchange(ref _dropped, 0) is > 0 and long dropped)
                    {
                        _writer.WriteLine($"({dropped} log lines were dropped: they came faster than they could be written)");
                    }
                }

                _writer.Flush();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Whoever read the log has gone; the server goes on without.
            _waiting.Writer.TryComplete();
        }
    }
}
