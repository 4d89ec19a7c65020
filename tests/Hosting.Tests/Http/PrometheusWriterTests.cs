using System.Text;
using GrayMQ.Hosting.Http;

namespace GrayMQ.Hosting.Tests.Http;

public class PrometheusWriterTests
{
    [Fact]
    public void Writer_LabelWithSpecialCharacters_IsEscaped()
    {
        var writer = new PrometheusWriter(("a", "b"));

        writer.Gauge("g", "Help").Sample(1.5, ("l", "back\\slash \"quote\"\nline")).Sample(2);

        Assert.Equal(
            "# HELP g Help\n# TYPE g gauge\ng{a=\"b\",l=\"back\\\\slash \\\"quote\\\"\\nline\"} 1.5\ng{a=\"b\"} 2\n",
            Encoding.UTF8.GetString(writer.Written.Span));
    }
}
