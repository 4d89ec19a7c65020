using System.Text;

namespace GrayMQ.Cli.Tests.Support;

/// <summary>Text that is written by one side and waited for by the other.</summary>
internal sealed class WatchedWriter : TextWriter
{
    private readonly StringBuilder _text = new();
    private readonly List<(Func<string, bool> Condition, TaskCompletionSource<string> Waiting)> _waiting = [];

    public override Encoding Encoding => Encoding.UTF8;

    public string Text
    {
        get
        {
            lock (_text)
            {
                return _text.ToString();
            }
        }
    }

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value)
    {
        lock (_text)
        {
            _text.Append(value);
            string text = _text.ToString();
            foreach (var (_, waiting) in _waiting.Where(waiting => waiting.Condition(text)))
            {
                waiting.TrySetResult(text);
            }
        }
    }

    public override void WriteLine(string? value) => Write(value + "\n");

    public override void WriteLine() => Write("\n");

    /// <summary>The text once it holds <paramref name="part"/>.</summary>
    public async Task<string> WaitForAsync(string part, Task? other = null)
    {
        var waiting = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_text)
        {
            if (_text.ToString().Contains(part, StringComparison.Ordinal))
            {
                return _text.ToString();
            }

            _waiting.Add((text => text.Contains(part, StringComparison.Ordinal), waiting));
        }

        Task first = await Task.WhenAny(waiting.Task, other ?? waiting.Task).WaitAsync(TestCommand.Timeout);
        await first;
        Assert.True(waiting.Task.IsCompleted, $"'{part}' was never written: {Text}");
        return await waiting.Task;
    }
}
