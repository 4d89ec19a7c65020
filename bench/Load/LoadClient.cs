using System.Diagnostics;

namespace GrayMQ.Load;

/// <summary>Whoever asks a server as fast as it answers, and counts.</summary>
internal abstract class LoadClient : IDisposable
{
    /// <summary>Set when what comes in counts.</summary>
    public bool Measuring { get; set; }

    /// <summary>Set when nothing more is to be sent.</summary>
    public bool Ending { get; set; }

    public LatencyHistogram Latency { get; } = new();

    public long Messages { get; private set; }

    public long Requests { get; private set; }

    public long Errors { get; private set; }

    /// <summary>Asks until <see cref="Ending"/>, and takes the last answers.</summary>
    public abstract Task RunAsync(CancellationToken cancel);

    public abstract void Dispose();

    /// <summary>Counts an answer; to be called by one thread at a time.</summary>
    /// <param name="sentAt">When its request was sent, as <see cref="Stopwatch.GetTimestamp"/> counts.</param>
    /// <param name="messages">What it stands for; negative when it is an error.</param>
    protected void Record(long sentAt, int messages)
    {
        if (!Measuring)
        {
            return;
        }

        Requests++;
        Latency.Add((Stopwatch.GetTimestamp() - sentAt) * (1_000_000_000 / Stopwatch.Frequency));
        if (messages < 0)
        {
            Errors++;
        }
        else
        {
            Messages += messages;
        }
    }
}
