using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GrayMQ.Cli.Output;

namespace GrayMQ.Cli.Tools;

/// <summary>One run of a command that talks to running servers.</summary>
internal sealed class ToolRun(CommandContext context, ParseResult parsed, NameServerChoice nameServers, bool json) : IAsyncDisposable
{
    private Cluster? _cluster;

    public CommandContext Context => context;

    /// <summary>Addresses of the name servers.</summary>
    public string NameServers => nameServers.Addresses;

    /// <summary>Whether the result is to be JSON.</summary>
    public bool IsJson => json;

    /// <summary>The servers; nothing is connected before something is asked.</summary>
    public Cluster Cluster => _cluster ??= new Cluster(nameServers.Addresses, context.Time);

    public T Get<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    /// <summary>Whether an option was written.</summary>
    public bool IsGiven(Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>The result: a JSON document, or what <paramref name="print"/> writes.</summary>
    public void Write<T>(T result, JsonTypeInfo<T> type, Action<T> print)
    {
        if (json)
        {
            context.WriteLine(JsonSerializer.Serialize(result, type));
        }
        else
        {
            print(result);
            context.Output.Flush();
        }
    }

    /// <summary>As <see cref="Write{T}"/>, as a table.</summary>
    public void WriteGrid<T>(T result, JsonTypeInfo<T> type, Action<T, Grid> fill) => Write(result, type, result =>
    {
        var grid = new Grid();
        fill(result, grid);
        grid.WriteTo(context);
    });

    /// <summary>A remark for people, which is no part of the result.</summary>
    public void Note(string remark)
    {
        if (!json)
        {
            context.Error.WriteLine(remark);
        }
    }

    public ValueTask DisposeAsync() => _cluster?.DisposeAsync() ?? ValueTask.CompletedTask;
}
