using System.Globalization;
using GrayMQ.Cli.Tests.Support;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Cli.Tests.Documents;

/// <summary>docs/COMPATIBILITY.md against real servers.</summary>
public sealed class CompatibilityTableTests(StandaloneServer server) : IClassFixture<StandaloneServer>
{
    private const string BrokerColumn = "broker";
    private const string NameServerColumn = "name server";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    [Fact]
    public void Table_EveryRequestCode_AppearsOnce()
    {
        Row[] rows = ReadTable();

        Assert.Equal(Enum.GetValues<RequestCode>().Select(code => (int)code).Order(), rows.Select(row => row.Code));
        Assert.All(rows, row => Assert.Contains(row.State, (string[])["works", "differs", "later", "not supported"]));
        Assert.All(rows, row => Assert.False(row.State == "differs" && row.Remarks.Length == 0, $"{row.Code} differs, but how?"));
    }

    [Fact]
    public async Task Table_EveryState_IsWhatTheServersAnswer()
    {
        await using var client = new RemotingClient(
            RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);
        var wrong = new List<string>();
        foreach (Row row in ReadTable())
        {
            bool answered = row.State is "works" or "differs";
            await CheckAsync(row, BrokerColumn, server.Broker, answered);
            await CheckAsync(row, NameServerColumn, server.NameServer, answered);
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));

        async Task CheckAsync(Row row, string asked, string address, bool answered)
        {
            // Without a header most requests are refused, but not for want of somebody who knows them.
            RemotingCommand answer = await client.InvokeAsync(
                address, (RequestCode)row.Code, default(NoHeader), ReadOnlyMemory<byte>.Empty, Timeout);
            bool supported = answer.ResponseCode != ResponseCode.RequestCodeNotSupported;
            if (supported != (answered && row.AskedOf.Contains(asked, StringComparison.Ordinal)))
            {
                wrong.Add($"{row.Code} ({(RequestCode)row.Code}): {row.State}, asked of {row.AskedOf}; the {asked} answers {answer.ResponseCode}");
            }
        }
    }

    private static Row[] ReadTable() =>
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "COMPATIBILITY.md"))
            .Select(line => line.Split('|').Select(cell => cell.Trim()).ToArray())
            .Where(cells => cells.Length == 8 && int.TryParse(cells[1], NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Select(cells => new Row(int.Parse(cells[1], CultureInfo.InvariantCulture), cells[3], cells[4], cells[6])),
    ];

    private sealed record Row(int Code, string AskedOf, string State, string Remarks);
}
