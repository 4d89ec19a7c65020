using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace GrayMQ.Chaos.Rolling.Npm;

/// <summary>A script in a Node.js process of its own, which is told and tells one JSON object per line, and ends with this object.</summary>
internal sealed class NodeScript : IAsyncDisposable
{
    private const int KeptLines = 50;

    private readonly Process _process;
    private readonly Action<JsonNode> _heard;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Task _reading;

    /// <param name="heard">What the script tells, line by line.</param>
    public NodeScript(string script, Action<JsonNode> heard, params string[] arguments)
    {
        _heard = heard;
        _process = Process.Start(new ProcessStartInfo("node", [script, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new InvalidOperationException("node does not start");
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null && _errors.Count < KeptLines)
            {
                _errors.Enqueue(line.Data);
            }
        };
        _process.BeginErrorReadLine();
        _reading = ReadAsync();
    }

    /// <summary>The first that it wrote to stderr.</summary>
    public string Errors => string.Join('\n', _errors);

    public async Task TellAsync(JsonNode line)
    {
        await _process.StandardInput.WriteLineAsync(line.ToJsonString());
        await _process.StandardInput.FlushAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            _heard(JsonNode.Parse(line)!);
        }
    }
}
