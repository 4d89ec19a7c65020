using System.Buffers;
using System.Globalization;
using System.Text;

namespace GrayMQ.Hosting.Http;

/// <summary>
/// Writes samples in the Prometheus text format, version 0.0.4:
/// <code>
/// # HELP rocketmq_messages_in_total Messages that were sent
/// # TYPE rocketmq_messages_in_total counter
/// rocketmq_messages_in_total{cluster="c",topic="T"} 12
/// </code>
/// </summary>
public sealed class PrometheusWriter
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly ArrayBufferWriter<byte> _output = new(16 * 1024);
    private readonly string _commonLabels;
    private string _name = "";

    /// <param name="commonLabels">Every sample has them.</param>
    public PrometheusWriter(params ReadOnlySpan<(string Name, string Value)> commonLabels) =>
        _commonLabels = Join(commonLabels);

    public ReadOnlyMemory<byte> Written => _output.WrittenMemory;

    /// <summary>Begins a metric whose value only grows while the process lives.</summary>
    public PrometheusWriter Counter(string name, string help) => Begin(name, "counter", help);

    /// <summary>Begins a metric whose value goes up and down.</summary>
    public PrometheusWriter Gauge(string name, string help) => Begin(name, "gauge", help);

    /// <summary>Begins a metric that counts values by how great they are; its samples are <see cref="Part"/>s.</summary>
    public PrometheusWriter Histogram(string name, string help) => Begin(name, "histogram", help);

    /// <summary>One sample of the metric that was begun last.</summary>
    public PrometheusWriter Sample(double value, params ReadOnlySpan<(string Name, string Value)> labels) => Write("", value, labels);

    /// <summary>A bucket, the sum or the count of a histogram.</summary>
    /// <param name="part"><c>bucket</c>, <c>sum</c> or <c>count</c>.</param>
    public PrometheusWriter Part(string part, double value, params ReadOnlySpan<(string Name, string Value)> labels) =>
        Write("_" + part, value, labels);

    private PrometheusWriter Write(string suffix, double value, ReadOnlySpan<(string Name, string Value)> labels)
    {
        string own = Join(labels);
        string separator = own.Length > 0 && _commonLabels.Length > 0 ? "," : "";
        Write($"{_name}{suffix}{{{_commonLabels}{separator}{own}}} {value.ToString("R", CultureInfo.InvariantCulture)}\n");
        return this;
    }

    private PrometheusWriter Begin(string name, string type, string help)
    {
        _name = name;
        Write($"# HELP {name} {help}\n# TYPE {name} {type}\n");
        return this;
    }

    private static string Join(ReadOnlySpan<(string Name, string Value)> labels)
    {
        var text = new StringBuilder();
        foreach ((string name, string value) in labels)
        {
            text.Append(text.Length > 0 ? "," : "").Append(name).Append("=\"");
            foreach (char c in value)
            {
                text.Append(c switch
                {
                    '\\' => "\\\\",
                    '"' => "\\\"",
                    '\n' => "\\n",
                    _ => c.ToString(),
                });
            }

            text.Append('"');
        }

        return text.ToString();
    }

    private void Write(string text) => Encoding.UTF8.GetBytes(text, _output);
}
